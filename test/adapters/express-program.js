/** A web program as people write them, with the package as they import it; the test starts it and talks to it over HTTP. */
import express from 'express'
import { createTransport } from 'mxpress/nodemailer'
import nodemailer from 'nodemailer'

const transporter = nodemailer.createTransport(createTransport(JSON.parse(process.env.AGENT_OPTIONS)), {
  from: 'Shop <shop@sender.test>',
})

const app = express()
app.use(express.json())
app.post('/receipts', async (request, response) => {
  const { to, order } = request.body
  const info = await transporter.sendMail({
    to,
    subject: `Order ${order}`,
    text: `Thank you for order ${order}.`,
  })
  response.status(202).json({ accepted: info.accepted, messageId: info.messageId })
})
app.use((error, _request, response, _next) => {
  const { code, permanent, response: reply } = error
  response.status(permanent ? 422 : 503).json({ code, reply })
})

const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
process.on('SIGTERM', () => server.close(() => transporter.close()))
